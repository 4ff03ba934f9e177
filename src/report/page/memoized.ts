/** Returns a function that makes each value once, by its two arguments. For few distinct arguments. */
export function memoized<A, B, Value>(make: (a: A, b: B) => Value): (a: A, b: B) => Value {
  const made = new Map<A, Map<B, Value>>();
  return (a, b) => {
    const ofA = made.get(a) ?? new Map<B, Value>();
    made.set(a, ofA);
    const known = ofA.get(b);
    if (known !== undefined) return known;
    const value = make(a, b);
    ofA.set(b, value);
    return value;
  };
}

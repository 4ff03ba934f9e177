import type { Stack } from '../../changeset/stack.ts';
import type { Tree } from '../../changeset/tree.ts';
import type { Component } from '../../relayer/component.ts';
import type { ComponentMap } from '../../relayer/components-of.ts';
import { noComponent } from '../../relayer/drafts.ts';
import { itemsPerStep, type Steps } from '../../steps.ts';

/** Returns the chance that an update changes something in a layer with these components. */
export function chanceOf(components: Iterable<Pick<Component, 'change'>>): number {
  let stays = 1;
  for (const { change } of components) stays *= 1 - change;
  return 1 - stays;
}

/** Returns the chance that an update changes each source layer, by its number, by what containers see of it. */
export function* sourceChanceSteps(
  { of }: ComponentMap,
  components: readonly Component[],
  { stack, tree }: { readonly stack: Stack; readonly tree: Tree },
): Steps<ReadonlyMap<number, number>> {
  const held = new Map<number, Set<Component>>();
  for (let path = 0; path < of.length; path++) {
    if (path % itemsPerStep === 0) yield;
    const component = components[of[path] as number];
    const file = tree.file[path] as number;
    if (of[path] === noComponent || component === undefined || file <= 0) continue;
    const { layer } = stack.list.get(file - 1);
    const own = held.get(layer) ?? new Set();
    held.set(layer, own.add(component));
  }
  return new Map([...held].map(([layer, own]) => [layer, chanceOf(own)] as const));
}

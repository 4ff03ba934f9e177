import type { ExchangeError } from '../failure.ts';

/** Returns whether a request was refused because of its size: some registries say so by 416, some by 400 and words. */
export function isTooLarge({ fault }: ExchangeError): boolean {
  if (fault === null) return false;
  const { status, message } = fault;
  return (
    status === 413 || status === 416 || (status === 400 && /too large|too big|exceeds/i.test(message ?? ''))
  );
}

/** Returns whether the account may not write. */
export function isDenied({ status }: ExchangeError): boolean {
  return status === 401 || status === 403;
}

/** Returns whether the session is unknown to the registry, or holds other bytes than it should. */
export function isLost({ status, fault }: ExchangeError): boolean {
  return status === 404 || fault?.code === 'DIGEST_INVALID' || fault?.code === 'SIZE_INVALID';
}

/** Returns whether a write that failed may have been done all the same. */
export function isAmbiguous(error: ExchangeError): boolean {
  return !isDenied(error) && (error.fault !== null || error.transient);
}

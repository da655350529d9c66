import { matchesPattern } from '../../shared/index.ts';

/** The identity of this CSE, which addresses are relative to. */
export interface CseIdentity {
  /** CSE-ID, with its slash: `/id-in`. */
  readonly cseId: string;
  /** Name of the CSEBase. */
  readonly cseName: string;
}

const SEGMENT = /^[A-Za-z0-9._~-]+$/;

export type ParsedAddress =
  | { readonly kind: 'here'; readonly to: string }
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Brings an address (TS-0001 clause 9.3.1) into the form that the data storage knows: from the CSEBase's name on, or an
 * unstructured id. CSE-relative (`cse-in/ae`, `-/ae`, `Cae`), SP-relative (`/id-in/cse-in/ae`) and absolute
 * (`//sp/id-in/cse-in/ae`) ones are understood.
 */
export function parseAddress(address: string, cse: CseIdentity): ParsedAddress {
  if (address === '') return { kind: 'invalid', reason: 'the address is empty' };
  const relative = toCseRelative(address, cse.cseId);
  if (relative === undefined) return { kind: 'elsewhere' };
  if (relative === '') return { kind: 'here', to: cse.cseName };
  const segments = relative.split('/');
  const wrong = segments.find((segment) => !SEGMENT.test(segment));
  if (wrong !== undefined) {
    const reason =
      wrong === '' ? 'empty segment (a slash at the end, or two in a row)' : `"${wrong.slice(0, 40)}"`;
    return { kind: 'invalid', reason: `the address has a segment that cannot be: ${reason}` };
  }
  if (segments[0] === '-') segments[0] = cse.cseName;
  return { kind: 'here', to: segments.join('/') };
}

function toCseRelative(address: string, cseId: string): string | undefined {
  if (!address.startsWith('/')) return address;
  const spRelative = address.startsWith('//') ? address.replace(/^\/\/[^/]*/, '') : address;
  if (spRelative === cseId) return '';
  return spRelative.startsWith(`${cseId}/`) ? spRelative.slice(cseId.length + 1) : undefined;
}

/** An originator of this CSE in its short form: `/id-in/Cae` and `Cae` are the same. */
export function shortOriginator(originator: string, cseId: string): string {
  return originator.startsWith(`${cseId}/`) ? originator.slice(cseId.length + 1) : originator;
}

/** Whether a name pattern with `*` for any characters matches. `all` matches everybody. */
export function matchesOriginator(pattern: string, originator: string): boolean {
  return pattern === 'all' || matchesPattern(pattern, originator);
}

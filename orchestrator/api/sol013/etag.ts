import { IotmanoError } from '../../../kernel/index.ts';
import type { ApiRequest } from '../route-types.ts';

/** The version of a resource, for If-Match: the revision of its record. */
export function etagOf(record: { readonly revision: number }): string {
  return `"${record.revision}"`;
}

/**
 * Heeds If-Match where the client sends it (RFC 9110 clause 13.1.1).
 * @throws IotmanoError `precondition-failed`
 */
export function requireIfMatch(request: ApiRequest, record: { readonly revision: number }): void {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return;
  const etag = etagOf(record);
  if (header.split(',').some((wanted) => wanted.trim() === etag)) return;
  throw new IotmanoError(
    'precondition-failed',
    `the resource is at version ${etag} and not at ${header.slice(0, 80)}; read it again, then repeat the change`,
    { parameter: 'If-Match' },
  );
}

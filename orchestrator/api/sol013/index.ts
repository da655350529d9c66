/** What SOL013 asks of every API, as small pure parts. */
export { etagOf, requireIfMatch } from './etag.ts';
export { matchesFilter, parseFilter, type Filter } from './filter.ts';
export { WHOLE, listResponse } from './list-response.ts';
export { mergePatch } from './merge-patch.ts';
export { parseSelectors, type ResourceShape } from './selectors.ts';
export { apiVersionInformation, negotiateVersion, unversioned } from './version.ts';

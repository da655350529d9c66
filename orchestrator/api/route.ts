/** What a room that offers routes needs: the types, and the parts that handlers use. Free of express and of the pipeline. */
export {
  ADMINS,
  OPERATORS,
  READERS,
  bodyOf,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from './route-types.ts';
export { fileResponse, parseRange, type ByteRange } from './range.ts';
export {
  WHOLE,
  etagOf,
  listResponse,
  matchesFilter,
  mergePatch,
  parseFilter,
  requireIfMatch,
  type ResourceShape,
} from './sol013/index.ts';

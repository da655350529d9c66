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
export { fileResponse } from './range.ts';
export {
  etagOf,
  listResponse,
  matchesFilter,
  mergePatch,
  parseFilter,
  requireIfMatch,
  type ResourceShape,
} from './sol013/index.ts';

/** The HTTP API: one pipeline that takes every route from bytes to an answer; routes come as data from the rooms. */
export { createApi, type Answered, type Api, type ApiOptions } from './create-api.ts';
export { serveApi, isLoopback, type ApiServer, type ListenOptions } from './serve.ts';
export {
  ADMINS,
  OPERATORS,
  READERS,
  bodyOf,
  type ApiRequest,
  type ApiResponse,
  type Route,
} from './route.ts';
export {
  createAuthenticator,
  formatAccessToken,
  hashToken,
  isEqualSecret,
  type Authenticate,
} from './access-token.ts';
export type { ProblemDetails } from './problem.ts';
export {
  API_SPECS_DIRECTORY,
  loadApiDocuments,
  responseFaults,
  validateRequest,
  type ApiDocuments,
  type ObservedResponse,
  type Operation,
} from './openapi/index.ts';
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
export {
  accessTokenRoutes,
  createAccessToken,
  isInstallationAdmin,
  randomSecrets,
  type AccessTokenOptions,
  type SecretSource,
} from './access-token-routes.ts';
export { ADMIN_TOKEN_FILE, ensureAdminToken } from './admin-token.ts';
export { eventRoutes, type EventOptions } from './event-routes.ts';
export { oauthRoutes } from './oauth-routes.ts';
export { apiVersionRoutes, createApiMetrics, healthRoutes, metricsRoutes } from './system-routes.ts';

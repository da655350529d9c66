/** The HTTP API: one pipeline that takes every route from bytes to an answer; routes come as data from the rooms. */
export { createApi, type Api } from './create-api.ts';
export type { Answered, ApiOptions } from './api-options.ts';
export { serveApi, isLoopback, type ApiServer, type ListenOptions } from './serve.ts';
export * from './route.ts';
export { createAuthenticator, formatAccessToken, type Authenticate } from './access-token.ts';
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
export { accessTokenRoutes, createAccessToken, type AccessTokenOptions } from './access-token-routes.ts';
export { ADMIN_TOKEN_FILE, ensureAdminToken } from './admin-token.ts';
export { eventRoutes, type EventOptions } from './event-routes.ts';
export { oauthRoutes } from './oauth-routes.ts';
export { apiVersionRoutes, createApiMetrics, healthRoutes, metricsRoutes } from './system-routes.ts';
export { vnfLcmRoutes } from './vnflcm-routes.ts';
export { nsLcmRoutes } from './nslcm-routes.ts';

/** The HTTP API: one pipeline that takes every route from bytes to an answer; routes come as data from the rooms. */
export { createApi } from './create-api.ts';
export { createDispatcher, type Dispatcher, type MessageAnswer, type MessageRequest } from './dispatch.ts';
export type { Answered, ApiOptions } from './api-options.ts';
export { followCertificate, type ServedCertificate } from './follow-certificate.ts';
export { serveApi, isLoopback, type ApiServer, type ListenOptions } from './serve.ts';
export * from './route.ts';
export { createAuthenticator, type Authenticate, type ShortLivedKey } from './access-token.ts';
export type { ProblemDetails } from './problem.ts';
export {
  loadApiDocuments,
  responseFaults,
  validateRequest,
  type ApiDocuments,
  type Operation,
} from './openapi/index.ts';
export { accessTokenRoutes, createAccessToken } from './access-token-routes.ts';
export { ensureAdminToken } from './admin-token.ts';
export { eventRoutes } from './event-routes.ts';
export { oauthRoutes } from './oauth-routes.ts';
export { apiVersionRoutes, createApiMetrics, healthRoutes, metricsRoutes } from './system-routes.ts';
export { vnfLcmRoutes } from './vnflcm-routes.ts';
export { nsLcmRoutes } from './nslcm-routes.ts';
export { placementPlanRoutes } from './placement-plan-routes.ts';

/** The orchestrator's own sites: VIMs that it drives itself, how they are registered, and how their credentials are kept. */
export { createSecretBox, type SecretBox } from './secret-box.ts';
export { loadSecretsKey } from './secrets-key.ts';
export { createSites, type Sites } from './sites.ts';
export type { OpenDriver, VimOpening } from './vim-access.ts';
export { vimRoutes } from './vim-routes.ts';
export { createVimUseCases } from './vim-use-cases.ts';

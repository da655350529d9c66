/** The OpenAPI documents as the pipeline uses them: read, compiled, and validated against. */
export { loadApiDocuments, type ApiDocuments, type Operation } from './documents.ts';
export { API_SPECS_DIRECTORY, loadSpecificationFiles } from './load-documents.ts';
export { validateBody, validateRequest, type RequestParts } from './validate-request.ts';
export { responseFaults, type ObservedResponse } from './validate-response.ts';

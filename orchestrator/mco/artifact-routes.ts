import { IotmanoError, type HostId } from '../../kernel/index.ts';
import { fileResponse, type ApiResponse, type Route } from '../api/route.ts';
import type { StateView } from '../store/index.ts';
import { sessionRoute, type McoContext, type SessionRequest } from './mco-context.ts';

/** Files that a host's own functions need, and the program that its agent is to become, by digest, resumable. */
export function artifactRoute(context: McoContext): Route {
  return sessionRoute(
    context,
    { method: 'GET', path: '/mco/v1/hosts/{hostId}/artifacts/{digest}', body: 'none' },
    ['orchestration'],
    (request) => retrieveArtifact(context, request),
  );
}

async function retrieveArtifact(
  { store, artifacts }: McoContext,
  { request, hostId }: SessionRequest,
): Promise<ApiResponse> {
  const digest = request.params['digest'] ?? '';
  // Before the files are asked, so that a host cannot find out which there are.
  if (!isAssigned(store, hostId, digest)) {
    throw new IotmanoError(
      'not-found',
      `no function that is assigned to host ${hostId} needs an artifact ${digest}; get the wanted state anew`,
    );
  }
  const file = await artifacts.openArtifact(digest);
  const response = fileResponse(request, { ...file, mediaType: 'application/octet-stream' });
  return { ...response, headers: { ...response.headers, ETag: `"${digest}"` } };
}

/** Of a function that is assigned to it, or the program that its agent is to become. */
function isAssigned(state: StateView, hostId: HostId, digest: string): boolean {
  if (state.get('agent-order', hostId)?.document.artifact.digest === digest) return true;
  for (const { document } of state.listByPrefix('assignment', `${hostId}.`))
    if (document.workload.spec.artifact.files?.digest === digest) return true;
  return false;
}

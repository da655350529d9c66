import { IotmanoError } from '../../kernel/index.ts';
import { OPERATORS, READERS, fileResponse, type ApiRequest, type Route } from '../api/route.ts';
import type { ContentFiles } from './content-files.ts';
import { nameOf, type ContentRecord } from './content-records.ts';
import type { MediaType, Onboarding } from './onboarding.ts';
import type { Resource } from './resources.ts';

/** The content of a resource: up, down, its descriptor, and its files. */
export function contentRoutes(
  onboarding: Onboarding,
  files: ContentFiles,
  resource: Resource,
): readonly Route[] {
  const { kind, path, parameter } = resource;
  const one = `${path}/{${parameter}}`;
  const onboarded = (request: ApiRequest): ContentRecord =>
    requireOnboarded(onboarding.get(kind, request.caller.tenant, request.params[parameter] ?? ''));
  return [
    {
      method: 'PUT',
      path: `${one}/${resource.content}`,
      access: OPERATORS,
      body: 'stream',
      handle: async (request) => {
        await onboarding.upload(kind, request.caller.tenant, request.params[parameter] ?? '', {
          stream: request.stream,
          mediaType: mediaTypeOf(request),
          signal: request.signal,
        });
        return { status: 202 };
      },
    },
    {
      method: 'GET',
      path: `${one}/${resource.content}`,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        const { id, document } = onboarded(request);
        const { sizeBytes = 0, mediaType = 'application/zip' } = document.content ?? {};
        return fileResponse(request, { path: files.contentPath(id), sizeBytes, mediaType });
      },
    },
    {
      method: 'GET',
      path: `${one}/${resource.descriptor}`,
      access: READERS,
      body: 'none',
      handle: async (request) => {
        requireTextAccepted(request);
        const { id } = onboarded(request);
        const text = await files.readDescriptor(id);
        return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, text };
      },
    },
    {
      method: 'GET',
      path: `${one}/artifacts/{artifactPath}`,
      access: READERS,
      body: 'none',
      multiSegment: 'artifactPath',
      handle: async (request) => {
        const { document } = onboarded(request);
        const wanted = request.params['artifactPath'] ?? '';
        const artifact = document.artifacts.find((other) => other.path === wanted);
        if (artifact === undefined) {
          throw new IotmanoError(
            'not-found',
            `there is no file ${JSON.stringify(wanted.slice(0, 200))} in it; its resource lists the files it has`,
          );
        }
        const file = await files.openArtifact(artifact.digest);
        return fileResponse(request, { ...file, mediaType: 'application/octet-stream' });
      },
    },
  ];
}

function requireOnboarded(record: ContentRecord): ContentRecord {
  const { onboardingState } = record.document;
  if (onboardingState === 'ONBOARDED') return record;
  throw new IotmanoError(
    'conflict',
    `${nameOf(record)} is ${onboardingState} and has no content to read; upload it, and wait until it is ONBOARDED`,
    { state: onboardingState },
  );
}

/** The pipeline has checked that it is one of the two. */
function mediaTypeOf(request: ApiRequest): MediaType {
  return request.headers['content-type']?.toLowerCase().startsWith('application/yaml') === true
    ? 'application/yaml'
    : 'application/zip';
}

function requireTextAccepted(request: ApiRequest): void {
  const accept = request.headers['accept'];
  if (accept === undefined || /text\/plain|text\/\*|\*\/\*/.test(accept)) return;
  throw new IotmanoError('not-acceptable', 'the descriptor is served as text/plain; accept that', {
    parameter: 'Accept',
  });
}

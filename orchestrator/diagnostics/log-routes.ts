import { IotmanoError, parseId, type VnfcInstanceId } from '../../kernel/index.ts';
import { READERS, type ApiRequest, type ApiResponse, type Route } from '../api/route.ts';
import { beginStream } from './begin-stream.ts';
import type { DiagnosticsContext } from './context.ts';
import { findCopy, isOnVim } from './copies.ts';
import { framesOf, outputOf, wantsFrames } from './frames.ts';
import type { Copy, DiagnosticStream } from './stream.ts';
import { streamResponse } from './stream-response.ts';
import { createVimOutput } from './vim-output.ts';

/** Bounds of one answer over Mco-d. */
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_SECONDS = 4 * 3600;

/** Output of copies: on VIMs read through their drivers, beside agents over Mco-d. It is not kept here. */
export function logRoutes(context: DiagnosticsContext): readonly Route[] {
  const readFromVim = createVimOutput(context);
  return [
    {
      method: 'GET',
      path: '/iotmano/v1/vnfc_instances/{vnfcInstanceId}/logs',
      access: READERS,
      body: 'none',
      handle: async (request): Promise<ApiResponse> => {
        const id = parseId<VnfcInstanceId>(request.params['vnfcInstanceId'], 'vnfcInstanceId');
        const copy = findCopy(context.store, request.caller.tenant, id);
        return isOnVim(context.store, copy)
          ? await readFromVim(request, copy, wishOf(request))
          : await readFromAgent(context, request, copy);
      },
    },
  ];
}

function wishOf({ query }: ApiRequest): { readonly follow: boolean; readonly tailLines?: number } {
  const tail = query.get('tail');
  return { follow: query.get('follow') === 'true', ...(tail === null ? {} : { tailLines: Number(tail) }) };
}

async function readFromAgent(
  context: DiagnosticsContext,
  request: ApiRequest,
  copy: Copy,
): Promise<ApiResponse> {
  const order = {
    kind: 'logs',
    copy,
    ...wishOf(request),
    maxBytes: MAX_BYTES,
    maxSeconds: MAX_SECONDS,
  } as const;
  const stream = await beginStream(context, request, order);
  return streamResponse(context, request, stream, wantsFrames(request) ? framesOf : textOf);
}

/** As text there is no place for a word on an end that came too early: the connection is cut. */
async function* textOf(reading: Parameters<typeof outputOf>[0]): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of outputOf(reading)) if (bytes.length > 0) yield bytes;
  requireComplete(reading.stream);
}

function requireComplete({ end }: DiagnosticStream): void {
  if (end?.reason === 'COMPLETE') return;
  throw new IotmanoError('unavailable', end?.detail ?? `the output has ended: ${end?.reason ?? 'FAILED'}`);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { IotmanoError } from '../../kernel/index.ts';
import { readBody } from './body.ts';
import { clientCertificateOf } from './client-certificate.ts';
import { answerTo, type Exchange, type Incoming, type Pipeline, type Target } from './handle-request.ts';
import { flatHeaders, isEncrypted, originOf, parseQuery, pathOf } from './request-parts.ts';
import { drain, sendProblem, sendResponse, setCommonHeaders } from './send.ts';

/** Takes one request over HTTP through all steps and answers it, whatever happens. Never rejects. */
export async function runPipeline(
  pipeline: Pipeline,
  request: IncomingMessage,
  response: ServerResponse,
  target: Target,
): Promise<void> {
  const { clock, ids, store, underWay, log } = pipeline;
  const startedAt = clock.monotonic();
  const requestId = ids.uuid();
  setCommonHeaders(response, requestId, isEncrypted(request));
  const controller = underWay.begin();
  response.once('close', () => {
    underWay.end(controller);
    // A connection also closes, for this request, when all of the answer is sent.
    if (!response.writableFinished) controller.abort(new IotmanoError('unavailable', 'the client went away'));
  });
  const exchange: Exchange = {
    pipeline,
    incoming: incomingOf(request),
    requestId,
    signal: controller.signal,
    onVersion: (version) => response.setHeader('Version', version),
  };
  try {
    const answer = await answerTo(exchange, target);
    await store.whenDurable();
    await sendResponse(request, response, answer);
  } catch (error) {
    // An error may reflect what was accepted a moment ago just as an answer does.
    await store.whenDurable();
    await drain(request);
    sendProblem(request, response, error, requestId, log);
  }
  const route = target !== undefined && 'endpoint' in target ? target.endpoint.path : 'none';
  pipeline.onAnswer?.({
    method: request.method ?? '',
    route,
    status: response.statusCode,
    milliseconds: clock.monotonic() - startedAt,
  });
}

function incomingOf(request: IncomingMessage): Incoming {
  const clientCertificate = clientCertificateOf(request);
  return {
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    method: request.method ?? '',
    path: pathOf(request),
    url: request.url ?? '',
    headers: flatHeaders(request),
    origin: originOf(request),
    stream: request,
    parseQuery: () => parseQuery(request),
    readBody: (route, limits, signal) => readBody(request, route, limits, signal),
  };
}

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { IotmanoError, systemClock } from '../../../kernel/index.ts';
import { httpStatusOf, RSC, type RequestPrimitive, type ResponsePrimitive } from '../../shared/index.ts';
import { Admission, type AdmissionLimits, type Admitted } from './admission.ts';
import { isAuthentic, type Credential } from './authentication.ts';
import { parseHttpRequest } from './parse-http-request.ts';

export interface McaSettings extends AdmissionLimits {
  readonly cseId: string;
  readonly credentials: readonly Credential[];
  readonly maxBodyBytes: number;
  /** How long a server that drains goes on taking requests, so that who sends them can learn of it. */
  readonly drainMilliseconds: number;
}

export interface McaServer {
  readonly port: number;
  /** Requests under way. */
  readonly inFlight: () => number;
  /**
   * Refuses the question of who spreads load (`OPTIONS`) at once, closes each connection after its answer, takes no new connection
   * once `drainMilliseconds` are over, and resolves when all is answered.
   */
  drain(): Promise<void>;
}

/** When all room is taken a device is told to come again after that. */
const RETRY_AFTER_SECONDS = 1;
const MAX_CONNECTIONS = 10_000;
/** What a device may still send of a content that was refused already, so that it gets to read why. */
const MAX_DRAINED_BYTES = 8 * 1_048_576;

const NO_ROOM: ResponsePrimitive = {
  rsc: RSC.targetNotReachable,
  pc: { 'm2m:dbg': 'too many requests are under way; try again under the same X-M2M-RI' },
};

type Process = (primitive: RequestPrimitive) => Promise<ResponsePrimitive>;

/** Mca over HTTP (TS-0009): requests become primitives, response primitives become HTTP again. */
export async function serveMca(
  listen: { readonly host: string; readonly port: number },
  settings: () => McaSettings,
  process: Process,
  onAnswer: (rsc: number, seconds: number) => void,
  isReady: () => boolean = () => true,
): Promise<McaServer> {
  const admission = new Admission(settings);
  let isDraining = false;
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 60_000 }, (request, response) => {
    if (request.method === 'OPTIONS') {
      sayWhetherReady(response, !isDraining && isReady());
      return;
    }
    const started = performance.now();
    const admitted = admission.enter();
    if (admitted !== undefined) response.once('close', () => admitted.leave());
    void answer(request, settings(), process, admitted).then((result) => {
      if (isDraining) response.setHeader('Connection', 'close');
      send(response, request, result, settings().cseId);
      onAnswer(result.rsc, (performance.now() - started) / 1000);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listenOn(server, listen);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    inFlight: () => admission.inFlight,
    drain: async () => {
      isDraining = true;
      // What clients have sent already is still answered, with the word that the connection closes.
      await systemClock.sleep(settings().drainMilliseconds);
      server.close();
      while (admission.inFlight > 0) await systemClock.sleep(10);
      server.closeAllConnections();
    },
  };
}

/** For who spreads load over gateways. No primitive is mapped to OPTIONS (TS-0009 clause 6.2.1), so no device is answered so. */
function sayWhetherReady(response: ServerResponse, isReady: boolean): void {
  const headers = { Allow: 'GET, POST, PUT, DELETE, OPTIONS', 'Content-Length': 0 };
  response.writeHead(isReady ? 200 : 503, isReady ? headers : { ...headers, Connection: 'close' }).end();
}

/** Never rejects. */
async function answer(
  request: IncomingMessage,
  settings: McaSettings,
  process: Process,
  admitted: Admitted | undefined,
): Promise<ResponsePrimitive> {
  try {
    const body = await readBody(request, settings.maxBodyBytes, admitted);
    if (typeof body !== 'string') return body;
    const { method = 'GET', url = '/', headersDistinct: headers } = request;
    const parsed = parseHttpRequest({ method, url, headers, body }, randomUUID);
    if (!parsed.isValid) return refused(parsed.rsc, parsed.reason);
    if (!isAuthentic(settings.credentials, parsed.primitive.fr, request.headers.authorization)) {
      return refused(
        RSC.securityAssociationRequired,
        'the originator is not authenticated: send its token as Authorization: Bearer',
      );
    }
    return await process(parsed.primitive);
  } catch {
    return refused(RSC.internalServerError, 'a fault of the field device protocol function');
  }
}

function refused(rsc: number, reason: string): ResponsePrimitive {
  return { rsc, pc: { 'm2m:dbg': reason } };
}

/**
 * The content, or why it is refused. What is refused is still read, up to a limit, and thrown away: a device that is sending
 * would not read its answer.
 */
async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  admitted: Admitted | undefined,
): Promise<string | ResponsePrimitive> {
  let refusal = admitted === undefined ? NO_ROOM : undefined;
  let chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    if (bytes > maxBytes) refusal = refused(RSC.badRequest, `the content is larger than ${maxBytes} bytes`);
    else if (admitted?.take(chunk.length) === false) refusal = NO_ROOM;
    if (refusal !== undefined) chunks = [];
  };
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (refusal === undefined) take(chunk);
      else if (bytes > MAX_DRAINED_BYTES) resolve(refusal);
    });
    request.on('end', () => resolve(refusal ?? Buffer.concat(chunks).toString()));
    request.on('error', reject);
    request.on('close', () => reject(new IotmanoError('unavailable', 'the connection was closed')));
  });
}

function send(
  response: ServerResponse,
  request: IncomingMessage,
  result: ResponsePrimitive,
  cseId: string,
): void {
  if (response.destroyed) return;
  const body = result.pc === undefined ? '' : JSON.stringify(result.pc);
  const headers: Record<string, string | number> = {
    'X-M2M-RSC': result.rsc,
    'Content-Length': Buffer.byteLength(body),
  };
  const requestId = request.headers['x-m2m-ri'];
  const release = request.headers['x-m2m-rvi'];
  if (typeof requestId === 'string') headers['X-M2M-RI'] = requestId;
  if (typeof release === 'string') headers['X-M2M-RVI'] = release;
  if (body !== '') headers['Content-Type'] = 'application/json';
  if (result.location !== undefined) headers['Content-Location'] = `${cseId}/${result.location}`;
  if (result.cnst !== undefined) headers['X-M2M-CTS'] = result.cnst;
  if (result.cnot !== undefined) headers['X-M2M-CTO'] = result.cnot;
  if (result === NO_ROOM) headers['Retry-After'] = RETRY_AFTER_SECONDS;
  // A request that was not read to its end cannot be followed by another.
  if (!request.complete) headers['Connection'] = 'close';
  response.writeHead(result === NO_ROOM ? 503 : httpStatusOf(result.rsc), headers).end(body);
}

async function listenOn(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

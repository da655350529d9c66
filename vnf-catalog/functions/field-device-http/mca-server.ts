import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { IotmanoError, systemClock } from '../../../kernel/index.ts';
import { httpStatusOf, RSC, type RequestPrimitive, type ResponsePrimitive } from '../../shared/index.ts';
import { isAuthentic, type Credential } from './authentication.ts';
import { parseHttpRequest } from './parse-http-request.ts';

export interface McaSettings {
  readonly cseId: string;
  readonly credentials: readonly Credential[];
  readonly maxBodyBytes: number;
}

export interface McaServer {
  readonly port: number;
  /** Takes no new connection, answers what is under way, closes each connection after its answer. */
  drain(): Promise<void>;
}

const LINGER_MILLISECONDS = 250;

type Process = (primitive: RequestPrimitive) => Promise<ResponsePrimitive>;

/** Mca over HTTP (TS-0009): requests become primitives, response primitives become HTTP again. */
export async function serveMca(
  listen: { readonly host: string; readonly port: number },
  settings: () => McaSettings,
  process: Process,
  onAnswer: (rsc: number, seconds: number) => void,
): Promise<McaServer> {
  const state = { underWay: 0, isDraining: false };
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 60_000 }, (request, response) => {
    const started = performance.now();
    state.underWay += 1;
    response.once('close', () => {
      state.underWay -= 1;
    });
    void answer(request, settings(), process).then((result) => {
      if (state.isDraining) response.setHeader('Connection', 'close');
      send(response, request, result, settings().cseId);
      onAnswer(result.rsc, (performance.now() - started) / 1000);
    });
  });
  await listenOn(server, listen);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    drain: async () => {
      state.isDraining = true;
      // What clients have sent already is still answered, with the word that the connection closes.
      await systemClock.sleep(LINGER_MILLISECONDS);
      server.close();
      while (state.underWay > 0) await systemClock.sleep(10);
      server.closeAllConnections();
    },
  };
}

/** Never rejects. */
async function answer(
  request: IncomingMessage,
  settings: McaSettings,
  process: Process,
): Promise<ResponsePrimitive> {
  try {
    const body = await readBody(request, settings.maxBodyBytes);
    if (body === undefined)
      return refused(RSC.badRequest, `the content is larger than ${settings.maxBodyBytes} bytes`);
    const { method = 'GET', url = '/', headers } = request;
    const parsed = parseHttpRequest({ method, url, headers, body });
    if (!parsed.isValid) return refused(parsed.rsc, parsed.reason);
    if (!isAuthentic(settings.credentials, parsed.primitive.fr, headers.authorization)) {
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

async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const { method } = request;
  if (method === 'GET' || method === 'DELETE') {
    request.resume();
    return '';
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        chunks.length = 0;
        resolve(undefined);
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () =>
      resolve((chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString() ?? ''),
    );
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
  // A request that was not read to its end cannot be followed by another.
  if (!request.complete) headers['Connection'] = 'close';
  response.writeHead(httpStatusOf(result.rsc), headers).end(body);
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

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Figures, Observation } from './figures.ts';
import { parseNotification } from './notification.ts';

export interface ApplicationHandlers {
  /** Must have kept it when it returns: then the notification is accepted. */
  readonly observe: (observation: Observation) => void;
  readonly figures: () => Figures & { readonly subscriptions: readonly string[] };
  readonly resourceIds: () => readonly string[];
}

const MAX_BODY_BYTES = 1_048_576;

/** The application's own port: takes notifications (POST) and shows the figures (GET /figures, GET /figures/resource-ids). */
export async function serveApplication(
  listen: { readonly host: string; readonly port: number },
  handlers: ApplicationHandlers,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method === 'POST') void takeNotification(request, response, handlers);
    else if (request.url === '/figures') sendJson(response, handlers.figures());
    else if (request.url === '/figures/resource-ids') sendJson(response, handlers.resourceIds());
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function takeNotification(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ApplicationHandlers,
): Promise<void> {
  const answer = (status: number, rsc: number): void => {
    const requestId = request.headers['x-m2m-ri'] ?? '';
    response.writeHead(status, { 'X-M2M-RSC': rsc, 'X-M2M-RI': requestId, 'X-M2M-RVI': '4' }).end();
  };
  try {
    const parsed = parseNotification(JSON.parse(await readBody(request)));
    if (parsed.kind === 'observation') handlers.observe(parsed.observation);
    if (parsed.kind === 'invalid') answer(400, 4000);
    else answer(200, 2000);
  } catch {
    answer(400, 4000);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(value)}\n`);
}

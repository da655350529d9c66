import { openAsBlob } from 'node:fs';
import { messageOf } from '../kernel/index.ts';
import { CliFailure, EXIT, type ExitCode } from './failure.ts';
import { faultLines, type FaultLike } from './faults.ts';

/** One answer of the orchestrator. `body` is parsed JSON, or undefined where there is none. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly faults?: readonly FaultLike[];
  readonly reasons?: readonly string[];
}

/** The northbound API as the commands use it. Every failure is a `CliFailure` that says what to do. */
export interface Client {
  readonly url: string;
  get<Body>(path: string): Promise<Answer<Body>>;
  /** Every page of a list. */
  list<Item>(path: string): Promise<Item[]>;
  post<Body>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
  patch<Body>(path: string, body: unknown): Promise<Answer<Body>>;
  putFile(path: string, file: string, contentType: string): Promise<void>;
  postFile<Body>(path: string, file: string, contentType: string): Promise<Answer<Body>>;
  delete(path: string): Promise<void>;
  /** The body of an endless answer, e.g. server-sent events. */
  stream(path: string, headers: Record<string, string>): Promise<AsyncIterable<Uint8Array>>;
  /** The same for what is asked for with a body; ends with the signal. */
  streamPost(
    path: string,
    body: unknown,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  postBytes<Body>(path: string, bytes: Uint8Array): Promise<Answer<Body>>;
}

const EXIT_BY_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  413: EXIT.usage,
  415: EXIT.usage,
  422: EXIT.usage,
  401: EXIT.unauthorized,
  403: EXIT.unauthorized,
  404: EXIT.notFound,
  410: EXIT.notFound,
  409: EXIT.conflict,
  412: EXIT.conflict,
};

export function createClient(url: string, token: string): Client {
  const base = url.replace(/\/+$/, '');

  async function request(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    const target = path.startsWith('http') ? path : `${base}${path}`;
    const response = await fetch(target, {
      ...init,
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(init.headers as Record<string, string>),
      },
    }).catch((error: unknown) => {
      const cause =
        error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
      throw new CliFailure(
        EXIT.unreachable,
        `no orchestrator answers at ${base} (${cause}); start one with "iotmano up", or say where it is with --url or IOTMANO_URL`,
      );
    });
    if (!response.ok) throw await failureOf(response, `${method} ${new URL(target).pathname}`);
    return response;
  }

  async function answer<Body>(response: Response): Promise<Answer<Body>> {
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }

  const json = (body: unknown, contentType: string, headers: Record<string, string> = {}): RequestInit =>
    body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { 'content-type': contentType, ...headers } };

  return {
    url: base,
    get: async (path) => answer(await request('GET', path)),
    async list<Item>(path: string): Promise<Item[]> {
      const items: Item[] = [];
      let next: string | undefined = path;
      while (next !== undefined) {
        const page: Answer<Item[]> = await answer<Item[]>(await request('GET', next));
        items.push(...page.body);
        next = /<([^>]+)>\s*;\s*rel="?next"?/.exec(page.headers.get('link') ?? '')?.[1];
      }
      return items;
    },
    post: async (path, body, headers) =>
      answer(await request('POST', path, json(body, 'application/json', headers))),
    patch: async (path, body) =>
      answer(await request('PATCH', path, json(body, 'application/merge-patch+json'))),
    async putFile(path, file, contentType) {
      await request('PUT', path, { body: await openAsBlob(file), headers: { 'content-type': contentType } });
    },
    postFile: async (path, file, contentType) =>
      answer(
        await request('POST', path, {
          body: await openAsBlob(file),
          headers: { 'content-type': contentType },
        }),
      ),
    async delete(path) {
      await request('DELETE', path);
    },
    stream: async (path, headers) => bodyOf(await request('GET', path, { headers })),
    streamPost: async (path, body, headers, signal) =>
      bodyOf(await request('POST', path, { ...json(body, 'application/json', headers), signal })),
    async postBytes(path, bytes) {
      const headers = { 'content-type': 'application/octet-stream' };
      return answer(await request('POST', path, { body: Buffer.from(bytes), headers }));
    },
  };
}

function bodyOf({ body, url }: Response): AsyncIterable<Uint8Array> {
  if (body !== null) return body;
  throw new CliFailure(EXIT.failed, `the orchestrator answered ${new URL(url).pathname} without a body`);
}

async function failureOf(response: Response, what: string): Promise<CliFailure> {
  const text = await response.text();
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    problem = { detail: text.slice(0, 300) };
  }
  const hint =
    response.status === 401
      ? ' Set IOTMANO_TOKEN, or run on the machine of the orchestrator as its user.'
      : '';
  return new CliFailure(
    EXIT_BY_STATUS[response.status] ?? EXIT.failed,
    `${problem.detail ?? problem.title ?? response.statusText}${hint} (${what}: ${response.status})`,
    [...faultLines(problem.faults ?? []), ...(problem.reasons ?? [])],
  );
}

import type { components } from '../../../api-specs/generated/iotmano.ts';

type Frame = components['schemas']['DiagnosticFrame'];

/** An operator who reads a stream as it comes. */
export interface OutputReader {
  readonly status: number;
  /** Of a refusal. */
  readonly detail: string;
  readonly streamId: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly end: Frame['end'];
  /** Resolves at the end of the answer. */
  readonly done: Promise<void>;
  leave(): void;
}

/** Sends the request, and resolves when it is answered. */
export async function readStream(
  url: string,
  token: string,
  options: { readonly body?: object; readonly signal?: AbortSignal; readonly accept?: string } = {},
): Promise<OutputReader> {
  const abort = new AbortController();
  const signal = AbortSignal.any([abort.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const response = await fetch(url, {
    method: options.body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: options.accept ?? 'application/x-ndjson, application/problem+json',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    signal,
  });
  const reader = {
    status: response.status,
    detail: '',
    streamId: '',
    stdout: '',
    stderr: '',
    end: undefined as Frame['end'],
    done: Promise.resolve(),
    leave: () => abort.abort(),
  };
  if (response.status !== 200) {
    reader.detail = ((await response.json()) as { detail: string }).detail;
    return reader;
  }
  reader.done = take(response, reader).catch(() => undefined);
  return reader;
}

async function take(
  response: Response,
  reader: { -readonly [Name in keyof OutputReader]: OutputReader[Name] },
): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const frame = JSON.parse(line) as Frame;
      reader.streamId = frame.streamId ?? reader.streamId;
      reader.stdout += Buffer.from(frame.stdout ?? '', 'base64').toString('latin1');
      reader.stderr += Buffer.from(frame.stderr ?? '', 'base64').toString('latin1');
      reader.end = frame.end;
    }
  }
}

import { IotmanoError, parseId, type Clock, type VnfcInstanceId } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { OPERATORS, bodyOf, type ApiRequest, type ApiResponse, type Route } from '../api/route.ts';
import { beginStream } from './begin-stream.ts';
import type { DiagnosticsContext } from './context.ts';
import { findCopy } from './copies.ts';
import { within } from './frames.ts';
import type { DiagnosticStream } from './stream.ts';
import { streamResponse } from './stream-response.ts';

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_SECONDS = 3600;
const MOST_INPUT_BYTES = 256 * 1024;
/** Of all words of a command: they are kept in the audit log, and told to the host with its wanted state. */
const MOST_COMMAND_BYTES = 16 * 1024;
/** So long one request of input waits for room. */
const ROOM_MILLISECONDS = 20_000;

/** Commands beside running copies, and their standard input. */
export function commandRoutes(context: DiagnosticsContext): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/iotmano/v1/vnfc_instances/{vnfcInstanceId}/exec',
      access: OPERATORS,
      body: 'json',
      handle: (request) => exec(context, request),
    },
    {
      method: 'POST',
      path: '/iotmano/v1/diagnostic_streams/{streamId}/input',
      access: OPERATORS,
      body: 'stream',
      handle: (request) => takeInput(context, request),
    },
  ];
}

async function exec(context: DiagnosticsContext, request: ApiRequest): Promise<ApiResponse> {
  const id = parseId<VnfcInstanceId>(request.params['vnfcInstanceId'], 'vnfcInstanceId');
  const wanted = bodyOf<components['schemas']['ExecRequest']>(request);
  const copy = findCopy(context.store, request.caller.tenant, id);
  requireRunnable(wanted.command);
  const stream = await beginStream(context, request, {
    kind: 'exec',
    copy,
    command: wanted.command,
    hasInput: wanted.hasInput === true,
    maxBytes: wanted.maxBytes ?? DEFAULT_MAX_BYTES,
    maxSeconds: wanted.maxSeconds ?? DEFAULT_MAX_SECONDS,
  });
  return streamResponse(context, request, stream);
}

/** No system takes some words, and errors of theirs would show them. */
function requireRunnable(command: readonly string[]): void {
  const bytes = command.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
  if (bytes > MOST_COMMAND_BYTES)
    throw new IotmanoError(
      'invalid-parameter',
      `body/command has ${bytes} bytes, and at most ${MOST_COMMAND_BYTES} are taken; send what is longer as its standard input`,
      { pointer: '/command' },
    );
  const index = command.findIndex((word) => word.includes('\0'));
  if (index >= 0) throw badWord(index, 'holds a NUL character; leave it out');
  if (command[0] === '') throw badWord(0, 'is empty; name a program');
}

function badWord(index: number, fault: string): IotmanoError {
  const pointer = `/command/${index}`;
  return new IotmanoError('invalid-parameter', `body${pointer} ${fault}`, { pointer });
}

async function takeInput({ streams, clock }: DiagnosticsContext, request: ApiRequest): Promise<ApiResponse> {
  const stream = streams.find(request.params['streamId'] ?? '');
  if (stream === undefined || !isOwn(stream, request))
    throw new IotmanoError('not-found', 'there is no such stream, or it is not yours; it may have ended');
  const offset = Number(request.query.get('offset'));
  const bytes = await readBody(request);
  requireOpen(stream);
  stream.input.write(offset, bytes, request.query.get('end') === 'true');
  if (stream.input.receivedBytes < offset + bytes.length) {
    await untilRoom(stream, request, clock);
    requireOpen(stream);
    stream.input.write(offset, bytes, request.query.get('end') === 'true');
  }
  const body: components['schemas']['StreamInputReceipt'] = { receivedBytes: stream.input.receivedBytes };
  return { status: 200, body };
}

function untilRoom(stream: DiagnosticStream, request: ApiRequest, clock: Clock): Promise<void> {
  return within(clock, ROOM_MILLISECONDS, (over) =>
    stream.input.whenRoom(AbortSignal.any([over, stream.ended, request.signal])),
  );
}

/** Who has begun it, with the same token. */
function isOwn({ caller }: DiagnosticStream, request: ApiRequest): boolean {
  const { tenant, name, tokenId } = request.caller;
  return caller.tenant === tenant && caller.name === name && caller.tokenId === tokenId;
}

function requireOpen({ end }: DiagnosticStream): void {
  if (end !== undefined)
    throw new IotmanoError('gone', `the stream has ended (${end.reason}); nothing reads its input any more`);
}

async function readBody({ stream }: ApiRequest): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_INPUT_BYTES)
      throw new IotmanoError(
        'payload-too-large',
        `input is taken in parts of at most ${MOST_INPUT_BYTES} bytes; send it in several`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

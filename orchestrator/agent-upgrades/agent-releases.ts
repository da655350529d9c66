import { Readable } from 'node:stream';
import {
  AGENT_PROGRAM_HEAD_BYTES,
  IotmanoError,
  SYSTEM_TENANT,
  createTurns,
  parseAgentProgram,
  toTimestamp,
  type Clock,
  type IdSource,
} from '../../kernel/index.ts';
import type { AgentReleaseDocument } from '../domain/index.ts';
import { digestsInUse, type ContentFiles } from '../packages/index.ts';
import type { StateStore, StoredRecord } from '../store/index.ts';
import { openUpgrade } from './upgrade-records.ts';

export interface AgentReleasesOptions {
  readonly store: StateStore;
  readonly files: ContentFiles;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Programs of the agent that hosts may be brought to. */
export interface AgentReleases {
  /**
   * Takes a program in; the same one again is the release that is there.
   * @throws IotmanoError `unprocessable` where it is no program of an agent, `conflict` where another one calls itself so, `payload-too-large`
   */
  add(
    stream: Readable,
    signal: AbortSignal,
  ): Promise<{ readonly release: StoredRecord<'agent-release'>; readonly isNew: boolean }>;
  list(): Iterable<StoredRecord<'agent-release'>>;
  /** @throws IotmanoError `not-found` */
  get(id: string): StoredRecord<'agent-release'>;
  /** @throws IotmanoError `conflict` while an upgrade or a host needs it */
  remove(id: string): Promise<void>;
  /** Files of releases are known from now on: uploads may begin. */
  start(): void;
}

export function createAgentReleases({ store, files, clock, ids }: AgentReleasesOptions): AgentReleases {
  /** A file and the record that names it come and go together: a removal in the middle of an upload of the same program would take the file of the new record. */
  const inTurn = createTurns();
  /** The sweep of the start takes every file for a leftover that no record names. */
  const started = Promise.withResolvers<void>();

  function get(id: string): StoredRecord<'agent-release'> {
    const release = store.get('agent-release', id);
    if (release !== undefined) return release;
    throw new IotmanoError('not-found', `there is no agent release ${id}; list them to see which there are`);
  }

  function commit(document: AgentReleaseDocument): {
    release: StoredRecord<'agent-release'>;
    isNew: boolean;
  } {
    const same = [...store.list('agent-release')].find(
      ({ document: { version } }) => version === document.version,
    );
    if (same !== undefined && same.document.digest === document.digest)
      return { release: same, isNew: false };
    if (same !== undefined)
      throw new IotmanoError(
        'conflict',
        `version ${document.version} is there with another content (${same.document.digest}); remove release ${same.id} first, or give the program another version`,
      );
    const id = ids.uuid();
    const tenant = SYSTEM_TENANT;
    store.commit([{ op: 'create', kind: 'agent-release', id, tenant, document }]);
    return { release: get(id), isNew: true };
  }

  async function keep(
    upload: string,
    found: Pick<AgentReleaseDocument, 'version' | 'digest' | 'sizeBytes'>,
  ): Promise<{ release: StoredRecord<'agent-release'>; isNew: boolean }> {
    await files.adopt(files.contentPath(upload), found.digest);
    try {
      return commit({ ...found, addedAt: toTimestamp(clock.now()) });
    } catch (error) {
      if (!digestsInUse(store).has(found.digest)) await files.removeArtifacts([found.digest]);
      throw error;
    }
  }

  return {
    get,
    list: () => store.list('agent-release'),
    start: () => started.resolve(),
    async add(stream, signal) {
      const { head, whole } = await peek(stream);
      const program = parseAgentProgram(head);
      if (program === undefined)
        throw new IotmanoError(
          'unprocessable',
          'the body is no program of an agent: its first line does not say so; send iotmano-agent.js as "npm run build:agent" makes it',
        );
      await started.promise;
      const upload = ids.uuid();
      try {
        const { digest, sizeBytes } = await files.receive(upload, whole, signal);
        return await inTurn(() => keep(upload, { version: program.version, digest, sizeBytes }));
      } finally {
        await files.removeUpload(upload);
      }
    },
    remove: (id) =>
      inTurn(async () => {
        const { document, revision } = get(id);
        requireUnused(store, id, document);
        // A crash in between leaves a file that nobody names, and no record without its file.
        await store.commit([{ op: 'delete', kind: 'agent-release', id, expectedRevision: revision }]).durable;
        if (!digestsInUse(store).has(document.digest)) await files.removeArtifacts([document.digest]);
      }),
  };
}

function requireUnused(store: StateStore, id: string, { version, digest }: AgentReleaseDocument): void {
  const open = openUpgrade(store);
  if (open?.document.agentReleaseId === id)
    throw new IotmanoError(
      'conflict',
      `upgrade ${open.id} brings agents to version ${version}; end it first`,
    );
  const waiting = [...store.list('agent-order')].find(({ document }) => document.artifact.digest === digest);
  if (waiting !== undefined)
    throw new IotmanoError(
      'conflict',
      `host ${waiting.id} is to get version ${version} when it is back; upgrade it to another one, or forget it, first`,
    );
}

/** The first bytes as text, and the whole as it was. */
async function peek(stream: Readable): Promise<{ readonly head: string; readonly whole: Readable }> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let size = 0;
  while (size < AGENT_PROGRAM_HEAD_BYTES) {
    const { done, value } = await next(chunks);
    if (done === true) break;
    first.push(value);
    size += value.length;
  }
  const head = Buffer.concat(first);
  async function* whole(): AsyncGenerator<Buffer> {
    yield head;
    for (let each = await next(chunks); each.done !== true; each = await next(chunks)) yield each.value;
  }
  const text = head.toString('utf8', 0, AGENT_PROGRAM_HEAD_BYTES);
  return { head: text, whole: Readable.from(whole(), { objectMode: false }) };
}

async function next(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw new IotmanoError(
      'malformed-request',
      'the upload ended before the whole content was received; upload it again',
      {},
      error,
    );
  }
}

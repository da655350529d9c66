import { createHash } from 'node:crypto';
import { IotmanoError, createKeyedQueue } from '../../kernel/index.ts';
import type { Engine } from './engine.ts';
import { hasStatus } from './engine-errors.ts';
import { KIND_LABEL, RECORD_LABEL, SCOPE_LABEL } from './labels.ts';
import { scopeTag } from './names.ts';

interface VolumeInfo {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

export interface StoredVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The volumes of ours that carry all these labels. */
export async function listVolumes(
  engine: Engine,
  scope: string,
  labels: Readonly<Record<string, string>>,
): Promise<readonly StoredVolume[]> {
  const wanted = Object.entries({ [SCOPE_LABEL]: scope, ...labels }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const { Volumes } = await engine.request<{ Volumes: readonly VolumeInfo[] | null }>({
    method: 'GET',
    path: '/volumes',
    query: { filters: { label: wanted } },
    what: 'list volumes',
  });
  return (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels ?? {} }));
}

/** Makes a volume, or finds it again; gives the labels that it has. */
export async function createVolume(
  engine: Engine,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const made = await engine.request<VolumeInfo>({
    method: 'POST',
    path: '/volumes/create',
    body: { Name: name, Labels: labels },
    what: `make the volume ${name}`,
  });
  return made.Labels ?? {};
}

/** Removes a volume; one that is gone, or that somebody still uses, is left. */
export async function removeVolume(engine: Engine, name: string): Promise<void> {
  try {
    await engine.request({ method: 'DELETE', path: `/volumes/${name}`, what: `remove the volume ${name}` });
  } catch (error) {
    if (!hasStatus(error, 404, 409)) throw error;
  }
}

/**
 * Small records that outlive this process, kept by the engine as labels of empty volumes: nothing else on it can be written without a file system of
 * its host. Of two for one owner the one with the higher number counts: a crash between writing and removing the older one does no harm.
 */
export class Notes {
  readonly #engine: Engine;
  readonly #scope: string;
  readonly #known = new Map<
    string,
    { readonly name: string; readonly number: number; readonly text: string }
  >();
  readonly #queue = createKeyedQueue();

  constructor(engine: Engine, scope: string) {
    this.#engine = engine;
    this.#scope = scope;
  }

  /** Reads all of them; later looks are answered from memory. */
  async load(): Promise<void> {
    for (const { name, labels } of await listVolumes(this.#engine, this.#scope, { [KIND_LABEL]: 'note' })) {
      const record = parseStored(labels[RECORD_LABEL]);
      if (record === undefined) continue;
      const known = this.#known.get(record.owner);
      if (known === undefined || known.number < record.number)
        this.#known.set(record.owner, { name, number: record.number, text: record.text });
    }
  }

  read(owner: string): string | undefined {
    return this.#known.get(owner)?.text;
  }

  /**
   * Replaces the note of an owner; nothing removes it.
   * @param labels what the note belongs to, so that it is found with it
   */
  write(owner: string, text: string | undefined, labels: Readonly<Record<string, string>>): Promise<void> {
    return this.#queue.run(owner, async () => {
      const known = this.#known.get(owner);
      if (known?.text === text) return;
      if (text === undefined) {
        if (known !== undefined) await removeVolume(this.#engine, known.name);
        this.#known.delete(owner);
        return;
      }
      const number = (known?.number ?? 0) + 1;
      const name = `iotmano-${scopeTag(this.#scope)}-note-${createHash('sha256').update(owner).digest('hex').slice(0, 20)}-${number}`;
      const record = JSON.stringify({ owner, number, text });
      const own = { [SCOPE_LABEL]: this.#scope, [KIND_LABEL]: 'note', [RECORD_LABEL]: record };
      const found = await createVolume(this.#engine, name, { ...labels, ...own });
      if (found[SCOPE_LABEL] !== this.#scope)
        throw new IotmanoError(
          'driver-failed',
          `the engine has a volume ${name} that is not ours; remove it`,
          {
            volume: name,
          },
        );
      if (found[RECORD_LABEL] !== record) {
        // Left by a write that was cut short: it is in the way of this one.
        await removeVolume(this.#engine, name);
        await createVolume(this.#engine, name, { ...labels, ...own });
      }
      this.#known.set(owner, { name, number, text });
      if (known !== undefined) await removeVolume(this.#engine, known.name);
    });
  }
}

function parseStored(
  text: string | undefined,
): { readonly owner: string; readonly number: number; readonly text: string } | undefined {
  if (text === undefined) return undefined;
  try {
    const {
      owner,
      number,
      text: noted,
    } = JSON.parse(text) as { owner: string; number: number; text: string };
    const isWhole = typeof owner === 'string' && Number.isInteger(number) && typeof noted === 'string';
    return isWhole ? { owner, number, text: noted } : undefined;
  } catch {
    return undefined;
  }
}

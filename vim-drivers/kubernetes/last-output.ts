import type { Clock } from '../../kernel/index.ts';
import type { SlotSet } from './cluster-view.ts';
import { lastLines, readOutput } from './logs.ts';
import { NOTE } from './names.ts';
import type { KubeObject } from './objects.ts';
import type { ApiTransport } from './transport.ts';

const KEPT_LINES = 500;
const KEPT_BYTES = 64 * 1024;
/** Giving up does not wait longer for it. */
const PATIENCE_MILLISECONDS = 5000;

/** The end of the output of copies that were given up: their pods are gone, and the cluster keeps no output without its pod. Known until the driver ends. */
export class LastOutputs {
  readonly #outputs = new Map<string, { readonly copy: string; readonly output: Uint8Array }>();

  /** Keeps what the pod of a copy has said at last, as long as it is still there. */
  async keep(
    set: SlotSet,
    pod: KubeObject<'pod'>,
    source: { readonly transport: ApiTransport; readonly clock: Clock },
  ): Promise<void> {
    const chunks: Uint8Array[] = [];
    const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    const options = { slot: 0, follow: false, tailLines: KEPT_LINES, signal };
    const lines = readOutput({ ...source, podOf: () => pod }, options);
    for await (const chunk of lines) chunks.push(chunk);
    const output = Buffer.concat(chunks).subarray(-KEPT_BYTES);
    this.#outputs.set(set.object.metadata?.uid ?? '', { copy: copyOf(set), output });
  }

  of(set: SlotSet, tailLines: number | undefined): Uint8Array | undefined {
    const kept = this.#outputs.get(set.object.metadata?.uid ?? '');
    if (kept?.copy !== copyOf(set)) return undefined;
    return tailLines === undefined ? kept.output : lastLines(kept.output, tailLines);
  }

  /** Forgets those of all other sets. */
  retain(uids: ReadonlySet<string>): void {
    for (const uid of this.#outputs.keys()) if (!uids.has(uid)) this.#outputs.delete(uid);
  }
}

function copyOf({ object }: SlotSet): string {
  return object.metadata?.annotations?.[NOTE.copy] ?? '';
}

interface Layer {
  totalBytes: number;
  doneBytes: number;
  isDone: boolean;
}

/** How far a pull is, out of what the engine tells of each layer. */
export class PullProgress {
  readonly #name: string;
  readonly #layers = new Map<string, Layer>();

  constructor(name: string) {
    this.#name = name;
  }

  /** Takes one line of the engine's report. */
  add(line: Readonly<Record<string, unknown>>): void {
    const { id, status, progressDetail } = line;
    if (typeof id !== 'string' || typeof status !== 'string') return;
    if (
      !/^(Pulling fs layer|Waiting|Downloading|Verifying|Download complete|Extracting|Pull complete|Already exists)/.test(
        status,
      )
    )
      return;
    const layer = this.#layers.get(id) ?? { totalBytes: 0, doneBytes: 0, isDone: false };
    this.#layers.set(id, layer);
    const { current, total } = (progressDetail ?? {}) as { current?: number; total?: number };
    if (status === 'Downloading') {
      layer.totalBytes = total ?? layer.totalBytes;
      layer.doneBytes = current ?? layer.doneBytes;
    }
    if (/^(Download complete|Extracting|Pull complete)/.test(status)) layer.doneBytes = layer.totalBytes;
    layer.isDone = /^(Pull complete|Already exists)/.test(status);
  }

  get totalBytes(): number {
    return this.#sum(({ totalBytes }) => totalBytes);
  }

  get doneBytes(): number {
    return this.#sum(({ doneBytes }) => doneBytes);
  }

  get text(): string {
    const done = this.#sum(({ isDone }) => Number(isDone));
    const mebibytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);
    const layers = this.#layers.size === 0 ? '' : `: ${done} of ${this.#layers.size} layers`;
    const bytes =
      this.totalBytes === 0 ? '' : `, ${mebibytes(this.doneBytes)} of ${mebibytes(this.totalBytes)} MiB`;
    return `pulling the image ${this.#name}${layers}${bytes}`;
  }

  #sum(of: (layer: Layer) => number): number {
    return [...this.#layers.values()].reduce((sum, layer) => sum + of(layer), 0);
  }
}

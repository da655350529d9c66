/** A binary heap of rows by key; of equal keys the row that `compare` puts first counts as the better one. */
export class RowHeap {
  readonly #compare: (a: number, b: number) => number;
  readonly #isWorstFirst: boolean;
  #keys: number[] = [];
  #rows: number[] = [];

  constructor(compare: (a: number, b: number) => number, isWorstFirst: boolean) {
    this.#compare = compare;
    this.#isWorstFirst = isWorstFirst;
  }

  get size(): number {
    return this.#rows.length;
  }

  get topKey(): number {
    return this.#keys[0] ?? Number.NaN;
  }

  get topRow(): number {
    return this.#rows[0] ?? -1;
  }

  push(key: number, row: number): void {
    this.#keys.push(key);
    this.#rows.push(row);
    this.#rise(this.#rows.length - 1);
  }

  pop(): void {
    const key = this.#keys.pop();
    const row = this.#rows.pop();
    if (key !== undefined && row !== undefined && this.#rows.length > 0) this.replaceTop(key, row);
  }

  /** Another key for the top, or another row in its place. */
  replaceTop(key: number, row: number = this.topRow): void {
    this.#keys[0] = key;
    this.#rows[0] = row;
    this.#sink(0);
  }

  copy(): RowHeap {
    const copy = new RowHeap(this.#compare, this.#isWorstFirst);
    copy.#keys = this.#keys.slice();
    copy.#rows = this.#rows.slice();
    return copy;
  }

  /** Takes over what another heap holds, without the room that it has grown for more. */
  fill(other: RowHeap): void {
    this.#keys = other.#keys.slice();
    this.#rows = other.#rows.slice();
    for (let at = (this.#rows.length >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  #goesBefore(a: number, b: number): boolean {
    const difference = (this.#keys[a] ?? 0) - (this.#keys[b] ?? 0);
    const isBetter =
      difference > 0 || (difference === 0 && this.#compare(this.#rows[a] ?? 0, this.#rows[b] ?? 0) < 0);
    return isBetter !== this.#isWorstFirst;
  }

  #rise(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#goesBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#rows.length) return;
      const right = left + 1;
      const child = right < this.#rows.length && this.#goesBefore(right, left) ? right : left;
      if (!this.#goesBefore(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(a: number, b: number): void {
    const key = this.#keys[a] ?? 0;
    const row = this.#rows[a] ?? 0;
    this.#keys[a] = this.#keys[b] ?? 0;
    this.#rows[a] = this.#rows[b] ?? 0;
    this.#keys[b] = key;
    this.#rows[b] = row;
  }
}

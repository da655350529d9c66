import type { TextPosition } from './finding.ts';

/** Turns offsets in a text into lines and columns; the text is read once, and only as far as asked. */
export class Positions {
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  #scannedTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  at(offset: number): TextPosition {
    const bounded = Math.min(Math.max(0, offset), this.#text.length);
    this.#scan(bounded);
    const line = this.#lineOf(bounded);
    return { line: line + 1, column: bounded - (this.#lineStarts[line] ?? 0) + 1 };
  }

  #scan(offset: number): void {
    while (this.#scannedTo < offset) {
      const newline = this.#text.indexOf('\n', this.#scannedTo);
      if (newline === -1 || newline >= offset) return;
      this.#lineStarts.push(newline + 1);
      this.#scannedTo = newline + 1;
    }
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? Infinity) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

import { clearScreenDown, moveCursor } from 'node:readline';
import type { WriteStream } from 'node:tty';
import { showControls } from './output.ts';

/** Lines at the end of a terminal that are written anew in place. */
export class LiveBlock {
  readonly #terminal: WriteStream;
  #height = 0;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
  }

  show(lines: readonly string[]): void {
    const width = this.#terminal.columns;
    moveCursor(this.#terminal, 0, -this.#height);
    clearScreenDown(this.#terminal);
    for (const line of lines) this.#terminal.write(`${showControls(line).slice(0, width - 1)}\n`);
    this.#height = lines.length;
  }
}

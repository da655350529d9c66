import { LiveBlock, secondText } from '../../cli/index.ts';
import type { ProgressFigures } from '../../load/index.ts';
import { clockText, renderScreen, type Sight } from './render-screen.ts';
import type { Act } from './story.ts';

/** What there is to see now, beside what the screen knows by itself. */
export type Look = () => Pick<Sight, 'load' | 'versions' | 'running'>;

const NOTHING: Look = () => ({ load: [], versions: '', running: {} });
const REDRAW_MILLISECONDS = 500;
const LINE_SECONDS = 5;

/** Where the demonstration is shown: one screen in place on a terminal, elsewhere a line for each event and for every five seconds of load. */
export class Screen {
  readonly #beganAt = performance.now();
  readonly #block: LiveBlock | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #events: string[] = [];
  #act: Act = 'start';
  #look = NOTHING;
  #told = 0;
  #isClosed = false;

  constructor() {
    this.#block = process.stderr.isTTY ? new LiveBlock(process.stderr) : undefined;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MILLISECONDS);
  }

  readonly say = (text: string): void => {
    const line = `${clockText(this.#seconds())}  ${text}`;
    this.#events.push(line);
    if (this.#block === undefined || this.#isClosed) process.stderr.write(`${line}\n`);
    else this.#draw();
  };

  readonly begin = (act: Act): void => {
    this.#act = act;
    this.#draw();
  };

  /** From now on it shows this, too. */
  follow(look: Look): void {
    this.#look = look;
  }

  /** Leaves the last screen where it is. What is said afterwards is written below it. */
  close(): void {
    clearInterval(this.#timer);
    this.#isClosed = true;
  }

  #draw(): void {
    const seen = this.#look();
    if (this.#block === undefined) {
      this.#tell(seen.load);
      return;
    }
    this.#block.show(
      renderScreen({ ...seen, seconds: this.#seconds(), act: this.#act, events: this.#events }),
    );
  }

  #tell(load: readonly ProgressFigures[]): void {
    for (const second of load.slice(this.#told))
      if (second.second % LINE_SECONDS === 0)
        process.stderr.write(`${clockText(this.#seconds())}  ${secondText(second)}\n`);
    this.#told = load.length;
  }

  #seconds(): number {
    return (performance.now() - this.#beganAt) / 1000;
  }
}

/** One piece of output as the engine sends it, with the time at which it was written. */
export interface LogPiece {
  /** RFC 3339 with nanoseconds; empty: it carried none. */
  readonly time: string;
  readonly bytes: Uint8Array;
}

const HEADER_BYTES = 8;

/** Takes the engine's stream of framed output apart: stdout and stderr as they came, each frame with its time in front. */
export class LogFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** The pieces that are whole with this chunk. */
  take(chunk: Uint8Array): readonly LogPiece[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const pieces: LogPiece[] = [];
    for (;;) {
      if (this.#rest.byteLength < HEADER_BYTES) return pieces;
      const end = HEADER_BYTES + this.#rest.readUInt32BE(4);
      if (this.#rest.byteLength < end) return pieces;
      pieces.push(splitTime(this.#rest.subarray(HEADER_BYTES, end)));
      this.#rest = this.#rest.subarray(end);
    }
  }
}

function splitTime(frame: Buffer): LogPiece {
  const space = frame.indexOf(0x20);
  const time = space < 0 ? '' : frame.subarray(0, space).toString('latin1');
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(time)) return { time: '', bytes: frame };
  return { time, bytes: frame.subarray(space + 1) };
}

/** Whether a piece was written after that time; times of one engine have the same zone. */
export function isAfter(time: string, last: string): boolean {
  return whole(time) > whole(last);
}

/** With all nine digits of the fraction, which the engine leaves out where they are zero. */
function whole(time: string): string {
  const match = /^([^.Z]+)(?:\.(\d+))?/.exec(time);
  return `${match?.[1] ?? time}.${(match?.[2] ?? '').padEnd(9, '0')}`;
}

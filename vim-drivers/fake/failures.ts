import { IotmanoError, type Clock, type ErrorCode } from '../../kernel/index.ts';

/** What can be made to go wrong, each until it is switched off or used up. All off by default. */
export interface FailureSwitches {
  /** Every call takes this long. */
  slowMilliseconds: number;
  /** The next calls that change something are refused with this error, and change nothing. */
  refuse: { readonly code: ErrorCode; times: number } | undefined;
  /** The next calls that change something take effect, but their answer is lost: the caller sees a timeout. */
  lose: number;
  /** The next calls that change something arrive twice. */
  duplicate: number;
  /** The driver crashes after this many more steps of its calls, and answers nothing until it is opened anew. */
  crashAfterSteps: number | undefined;
  /** No call reaches the host at all. */
  isUnreachable: boolean;
}

export function noFailures(): FailureSwitches {
  return {
    slowMilliseconds: 0,
    refuse: undefined,
    lose: 0,
    duplicate: 0,
    crashAfterSteps: undefined,
    isUnreachable: false,
  };
}

/** Plays the switches around the calls of one driver. */
export class Saboteur {
  readonly #switches: FailureSwitches;
  readonly #clock: Clock;
  #hasCrashed = false;

  constructor(switches: FailureSwitches, clock: Clock) {
    this.#switches = switches;
    this.#clock = clock;
  }

  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  /** Before any call. */
  async enter(): Promise<void> {
    if (this.#switches.slowMilliseconds > 0) await this.#clock.sleep(this.#switches.slowMilliseconds);
    this.#demandAlive();
    if (this.#switches.isUnreachable)
      throw new IotmanoError('unavailable', 'the fake host cannot be reached');
  }

  /** Around a call that changes something. */
  async change(act: () => void): Promise<void> {
    await this.enter();
    const { refuse } = this.#switches;
    if (refuse !== undefined && refuse.times > 0) {
      refuse.times -= 1;
      throw new IotmanoError(refuse.code, 'the fake host was told to refuse');
    }
    act();
    if (this.#switches.duplicate > 0) {
      this.#switches.duplicate -= 1;
      act();
    }
    if (this.#switches.lose > 0) {
      this.#switches.lose -= 1;
      throw new IotmanoError('timeout', 'the answer of the fake host was lost');
    }
  }

  /** Between two steps of a call: here a driver may be cut off. */
  step(): void {
    this.#demandAlive();
    if (this.#switches.crashAfterSteps === undefined) return;
    if (this.#switches.crashAfterSteps > 0) {
      this.#switches.crashAfterSteps -= 1;
      return;
    }
    this.#switches.crashAfterSteps = undefined;
    this.#hasCrashed = true;
    this.#demandAlive();
  }

  #demandAlive(): void {
    if (this.#hasCrashed) throw new IotmanoError('unavailable', 'the fake driver has crashed; open it anew');
  }
}

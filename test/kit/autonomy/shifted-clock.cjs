'use strict';
// Loaded before a program: its wall clock is wrong by CLOCK_SHIFT_SECONDS until SIGUSR2 sets it right. Monotonic time goes on as it is.
const RealDate = Date;
let shift = Number(process.env.CLOCK_SHIFT_SECONDS) * 1000;
process.on('SIGUSR2', () => {
  shift = 0;
});
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 ? [RealDate.now() + shift] : parts));
  }
  static now() {
    return RealDate.now() + shift;
  }
};

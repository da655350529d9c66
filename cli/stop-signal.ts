const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Resolves at the first SIGTERM or SIGINT; a second one, of either kind, ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    function stop(): void {
      for (const signal of SIGNALS) process.off(signal, stop);
      resolve();
    }
    for (const signal of SIGNALS) process.on(signal, stop);
  });
}

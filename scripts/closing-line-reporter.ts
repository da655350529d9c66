import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Prints, after vitest's own summary, why tests failed that passed when they were tried again, and one line for programs:
 * `N passed, N failed[, N skipped]`.
 */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    const again: string[] = [];
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (test.diagnostic()?.flaky === true) again.push(textOf(test));
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped += 1;
      }
    }
    const skippedPart = skipped > 0 ? `, ${skipped} skipped` : '';
    process.on('exit', () => {
      for (const text of again) process.stdout.write(`passed only when tried again: ${text}\n`);
      process.stdout.write(`${passed} passed, ${failed} failed${skippedPart}\n`);
    });
  }
}

function textOf(test: TestCase): string {
  const { errors = [] } = test.result();
  const reasons = errors.map(({ message, stack = '' }) => {
    const place = stack
      .split('\n')
      .find((line) => line.includes('.test.ts:') || line.includes('/conformance/'));
    return `${message}${place === undefined ? '' : ` (${place.trim()})`}`;
  });
  return [`${test.module.relativeModuleId}: ${test.fullName}`, ...reasons].join('\n  ');
}

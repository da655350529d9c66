import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { remedyFor } from '../../test/kit/services.ts';
import { suiteOf } from './suites.ts';
import type { ConformanceCase } from './table.ts';

/** Gathers what became of each case over each driver. */
export class ConformanceReporter implements Reporter {
  readonly #cases: ConformanceCase[] = [];

  get cases(): readonly ConformanceCase[] {
    return this.#cases;
  }

  /** Shows that it goes on: engines take their time. */
  onTestCaseResult(test: TestCase): void {
    const { driver, title, state } = caseOf(test);
    if (state !== 'skipped') process.stderr.write(`${driver}: ${title}: ${state}\n`);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly { message: string }[]): void {
    for (const module of modules) {
      const driver = suiteOf(module.moduleId)?.name ?? module.moduleId;
      const faults = module.errors().map(({ message }) => message);
      for (const reason of faults)
        this.#cases.push({ driver, title: 'the suite itself', state: 'failed', reason });
      this.#cases.push(...[...module.children.allTests()].map(caseOf));
    }
    for (const { message } of unhandledErrors)
      this.#cases.push({ driver: 'all', title: 'the run itself', state: 'failed', reason: message });
  }
}

function caseOf(test: TestCase): ConformanceCase {
  const suite = suiteOf(test.module.moduleId);
  const path: string[] = [test.name];
  let driver = suite?.name ?? '?';
  for (let group = test.parent; group.type === 'suite'; group = group.parent) {
    const name = /^the (.+) driver$/.exec(group.name)?.[1];
    if (name !== undefined) {
      driver = name;
      break;
    }
    path.unshift(group.name);
  }
  const title = path.join(' > ');
  const result = test.result();
  const note = test.annotations()[0]?.message;
  const noted = note === undefined ? {} : { note };
  if (result.state === 'passed') return { driver, title, state: 'passed', ...noted };
  if (result.state === 'failed') {
    const reason = result.errors.map(({ message }) => message).join('; ');
    return { driver, title, state: 'failed', reason, ...noted };
  }
  const because = 'note' in result ? result.note : undefined;
  const missing = suite?.service;
  const remedy = missing === undefined ? 'not run' : `${missing} is not there: ${remedyFor(missing)}`;
  return { driver, title, state: 'skipped', reason: because ?? remedy };
}

import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CaseFailure, NotApplicable } from './case.ts';
import { createAskingOperator, createCommandOperator } from './operator.ts';

const { signal } = new AbortController();

describe('an operator command', () => {
  it('is run with the action and its arguments, and gives what it prints', async () => {
    const operator = createCommandOperator('echo hello', signal);
    expect(await operator.do('token', 'kit-1', '600')).toBe('hello token kit-1 600');
  });

  it('that ends with 64 does not know the action, and is not asked again', async () => {
    const operator = createCommandOperator('exit 64;', signal);
    await expect(operator.do('assign', 'kit-1')).rejects.toThrow(NotApplicable);
    expect([operator.can('assign'), operator.can('token')]).toEqual([false, true]);
  });

  it('that fails fails the case, with what it said', async () => {
    const operator = createCommandOperator('echo no such host >&2; exit 3;', signal);
    await expect(operator.do('settle', 'kit-1')).rejects.toThrow(CaseFailure);
    await expect(operator.do('settle', 'kit-1')).rejects.toThrow(
      /ended with 3 for "settle kit-1": no such host/,
    );
  });

  it('that leaves something running is not waited for', async () => {
    const operator = createCommandOperator('sh -c "sleep 3 & echo started"', signal);
    expect(await operator.do('restart')).toBe('started');
  });
});

describe('a person', () => {
  it('is asked in words, answers with what is to be printed, and may skip', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const operator = createAskingOperator(input, output, signal);
    const token = operator.do('token', '-', '600');
    input.write('the-token \n');
    expect(await token).toBe('the-token');
    expect(String(output.read())).toMatch(/Please issue a one-time enrolment token.*\n {2}token - 600\n/);
    const skipped = operator.do('settle', 'kit-1');
    input.write('skip\n');
    await expect(skipped).rejects.toThrow(NotApplicable);
  });
});

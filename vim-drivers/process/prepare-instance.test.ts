import { describe, expect, it } from 'vitest';
import { sampleWorkload } from '../conformance-site.ts';
import { layoutOf } from './layout.ts';
import { describeInstance, type PrepareInput } from './prepare-instance.ts';

function inputOf(command: readonly string[], env: Readonly<Record<string, string>>): PrepareInput {
  const { key, spec, bindings } = sampleWorkload(
    { artifact: (words) => ({ type: 'process', command: words }) },
    { command, spec: { env } },
  );
  return {
    layout: layoutOf('/nowhere'),
    key,
    spec,
    slot: 0,
    ports: {},
    bindings,
    hostId: 'host-1',
    hostAddress: '127.0.0.1',
    nodePath: process.execPath,
  };
}

describe('how an instance is started', () => {
  it('takes words as they are, whatever a shell would make of them', () => {
    const strange = '$(touch x) `y` "\'\n; * é';
    const { command, environment } = describeInstance(inputOf(['run', strange], { STRANGE: strange }));
    expect(command).toEqual(['run', strange]);
    expect(environment['STRANGE']).toBe(strange);
  });

  it.each([
    ['the command', ['run', 'hun\0ter2'], {}],
    ['the environment variable KEY', ['run'], { KEY: 'hun\0ter2' }],
  ])('is refused where %s holds a NUL, without showing what it is', (what, command, env) => {
    const refusal = (): unknown => describeInstance(inputOf(command, env));
    expect(refusal).toThrow(`${what} holds a NUL character`);
    expect(refusal).not.toThrow(/hun|ter2/);
  });
});

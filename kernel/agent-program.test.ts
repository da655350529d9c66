import { describe, expect, it } from 'vitest';
import { parseAgentProgram, renderAgentProgram } from './agent-program.ts';

describe('the first line of an agent’s program', () => {
  const program = { version: '1.2.0-rc.1+x64', formats: { assignments: 2 } };

  it('says what was written into it, whatever comes after', () => {
    expect(parseAgentProgram(`${renderAgentProgram(program)}throw 1;`)).toEqual(program);
  });

  it.each([
    'console.log(1)',
    '',
    `\n${renderAgentProgram(program)}`,
    '/*! iotmano-agent {"version":"1.0.0"} */\n',
    '/*! iotmano-agent {"version":"1 0","formats":{}} */\n',
    '/*! iotmano-agent {"version":"1.0.0","formats":{"a":0}} */\n',
    '/*! iotmano-agent {broken} */\n',
  ])('is none in %j', (text) => {
    expect(parseAgentProgram(text)).toBeUndefined();
  });

  it('takes no version that is no word', () => {
    expect(() => renderAgentProgram({ ...program, version: '*/ 1' })).toThrow(RangeError);
  });
});

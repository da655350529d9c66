import { Option } from 'commander';
import { CliFailure, EXIT } from './failure.ts';

/** A parser of option values that are whole numbers. @throws CliFailure naming the option and what it takes */
export function wholeNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value))
      throw new CliFailure(EXIT.usage, `${option} wants a whole number of at least ${least}; got "${text}"`);
    return value;
  };
}

/** A parser of option values that are numbers within bounds. @throws CliFailure naming the option and what it takes */
export function numberWithin(
  option: string,
  wanted: string,
  isGood: (value: number) => boolean,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+(\.\d+)?$/.test(text) || !isGood(value))
      throw new CliFailure(EXIT.usage, `${option} wants ${wanted}; got "${text}"`);
    return value;
  };
}

/** Splits `name=value`. @throws CliFailure naming the option and what it takes */
export function splitPair(option: string, text: string): readonly [name: string, value: string] {
  const separator = text.indexOf('=');
  if (separator < 1) throw new CliFailure(EXIT.usage, `${option} wants name=value; got "${text}"`);
  return [text.slice(0, separator), text.slice(separator + 1)];
}

/** How much a long-running command tells in its log. */
export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'how much is told')
    .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info');
}

/** `a,b` as a list; empty items count for nothing. */
export function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Reads `address:port`. @throws CliFailure naming the option and what it takes */
export function parseListen(option: string, text: string): { host: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535) {
    throw new CliFailure(
      EXIT.usage,
      `${option} wants address:port, e.g. 127.0.0.1:8900 or [::1]:8900; got "${text}"`,
    );
  }
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

import { IotmanoError } from '../../kernel/index.ts';

/** Typed reading of the configuration values of a bindings file; each with the default of the descriptor. */
export interface ConfigReader {
  text(name: string, otherwise: string): string;
  number(name: string, otherwise: number): number;
  texts(name: string, otherwise: readonly string[]): readonly string[];
  list(name: string): readonly unknown[];
}

/** @throws IotmanoError `invalid-parameter`, from a reading method, when a value has the wrong type */
export function readConfig(config: Readonly<Record<string, unknown>>): ConfigReader {
  const fault = (name: string, wanted: string): IotmanoError =>
    new IotmanoError('invalid-parameter', `configuration "${name}" must be ${wanted}`, { parameter: name });
  return {
    text(name, otherwise) {
      const value = config[name] ?? otherwise;
      if (typeof value !== 'string') throw fault(name, 'a text');
      return value;
    },
    number(name, otherwise) {
      const value = config[name] ?? otherwise;
      if (typeof value !== 'number' || !Number.isFinite(value)) throw fault(name, 'a number');
      return value;
    },
    texts(name, otherwise) {
      const value = config[name] ?? otherwise;
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
        throw fault(name, 'a list of texts');
      }
      return value;
    },
    list(name) {
      const value = config[name] ?? [];
      if (!Array.isArray(value)) throw fault(name, 'a list');
      return value;
    },
  };
}

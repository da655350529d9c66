import { IotmanoError } from '../../kernel/index.ts';
import { checkConfig, type Parameters } from '../../descriptors/index.ts';

/**
 * Checks values that a caller gives for parameters of a descriptor, all at once.
 * @param what whose values they are, for the message, e.g. `config of data-storage`
 * @returns the values with the defaults
 * @throws IotmanoError `unprocessable`
 */
export function validateValues(
  parameters: Parameters,
  values: Readonly<Record<string, unknown>>,
  what: string,
): Readonly<Record<string, unknown>> {
  const { values: complete, faults } = checkConfig(parameters, values);
  if (complete !== undefined) return complete;
  const text = faults.map(({ pointer, message, remedy }) => `${pointer || '/'}: ${message}; ${remedy}`);
  throw new IotmanoError('unprocessable', `${what}: ${text.join('; ')}`, { faults });
}

/** The JSON Schemas of the language: its reference documentation. */
import common from './common.json' with { type: 'json' };
import functionSchema from './function.json' with { type: 'json' };
import service from './service.json' with { type: 'json' };

export const SCHEMAS: Readonly<Record<'common' | 'function' | 'service', object>> = {
  common,
  function: functionSchema,
  service,
};

import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';

/** The one validator of all our clients and servers: each would make its own, which takes longer than all else in opening them. */
export const jsonSchemaValidator = new AjvJsonSchemaValidator();

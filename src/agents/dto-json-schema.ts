import type { targetConstructorToSchema as ToSchema } from 'class-validator-jsonschema';
import type { JsonObject } from '../shared/json.js';
import { dtoLibraries } from './dto-libraries.js';

type Converters = NonNullable<NonNullable<Parameters<typeof ToSchema>[1]>['additionalConverters']>;
type NestedProperty = Parameters<Extract<Converters[string], (...args: never[]) => unknown>>[0];
// oxlint-disable-next-line typescript/no-unsafe-function-type -- any class, as class-validator keeps them
type Class = Function;

/** The JSON Schema of a class-validator DTO class; nested classes are in its `$defs`. */
export function dtoJsonSchema(dto: new () => object): JsonObject {
  const { targetConstructorToSchema, ValidationTypes } = dtoLibraries();
  const names = new Map<Class, string>();
  const defs: Record<string, JsonObject> = {};

  const additionalConverters: Converters = {
    [ValidationTypes.NESTED_VALIDATION]: (property) => {
      const { nested, isList } = nestedClassOf(property);
      if (!nested) return {};
      const ref = { $ref: `#/$defs/${define(nested)}` };
      return isList && !property.each ? { type: 'array', items: ref } : ref;
    },
  };

  function define(nested: Class): string {
    const known = names.get(nested);
    if (known) return known;
    // two classes of one name are two schemas
    const name = nested.name in defs ? `${nested.name}${names.size}` : nested.name;
    names.set(nested, name);
    defs[name] = {};
    defs[name] = schemaOf(nested);
    return name;
  }

  function schemaOf(target: Class): JsonObject {
    const schema = targetConstructorToSchema(target, { additionalConverters });
    return { ...plain(schema), additionalProperties: false };
  }

  const schema = schemaOf(dto);
  return names.size === 0 ? schema : { ...schema, $defs: defs };
}

/** Asks class-transformer what it would make of the property, since its metadata have no public face. */
function nestedClassOf({ target, propertyName, each }: NestedProperty): { nested: Class | undefined; isList: boolean } {
  if (typeof target !== 'function') return { nested: undefined, isList: false };
  const isList = each || Reflect.getMetadata('design:type', target.prototype as object, propertyName) === Array;
  const probe = dtoLibraries().plainToInstance(target as new () => Record<string, unknown>, {
    [propertyName]: isList ? [{}] : {},
  });
  const made = isList ? (probe[propertyName] as unknown[])[0] : probe[propertyName];
  const nested = typeof made === 'object' && made !== null ? made.constructor : Object;
  return { nested: nested === Object ? undefined : nested, isList };
}

function plain(schema: object): JsonObject {
  return JSON.parse(JSON.stringify(schema)) as JsonObject;
}

import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { CarrelError } from '../shared/errors.js';
import { validation } from './checks.js';
import { quickCheckOf } from './quick-check.js';

type DtoClass = new () => object;

interface DtoRules {
  readonly known: ReadonlySet<string>;
  /** See `quickCheckOf`. */
  readonly isRight: (dto: object) => boolean;
}

const STRICT = { forbidUnknownValues: true, stopAtFirstError: true } as const;
const MAX_ISSUES = 10;
/** Names of properties come from the client. */
const MAX_NAME_LENGTH = 64;

/**
 * Checks a body or a query against the class-validator DTO that the parameter is declared as; what it does not declare
 * is refused. A body's values are passed on as they are, unlike with Nest's `ValidationPipe`, which copies them deeply.
 */
class CheckedPipe implements PipeTransform<unknown, object> {
  private readonly rules = new Map<DtoClass, DtoRules>();

  /** @param whenMissing what a body counts as that was not sent */
  constructor(private readonly whenMissing?: object) {}

  /** @throws CarrelError `invalid_request` with `issues` that name each property */
  transform(given: unknown, { metatype, type }: ArgumentMetadata): object {
    const dtoClass = metatype as DtoClass;
    const value = given === undefined ? this.whenMissing : given;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw refusal([{ path: '', message: `the ${type} must be an object` }]);
    }
    const { known, isRight } = this.rulesOf(dtoClass);
    const unknown = Object.keys(value).filter((key) => !known.has(key));
    const declared =
      unknown.length === 0 ? value : Object.fromEntries(Object.entries(value).filter(([key]) => known.has(key)));
    // The values of a query are texts: nothing deep can be in there.
    const dto =
      type === 'body' ? Object.assign(new dtoClass(), declared) : validation().plainToInstance(dtoClass, declared);
    if (unknown.length === 0 && isRight(dto)) return dto;
    const errors = validation().validateSync(dto, STRICT);
    if (errors.length + unknown.length === 0) return dto;
    throw refusal([...unknown.map((key) => unknownIn(type, key, known)), ...errors.flatMap(issuesOf)]);
  }

  private rulesOf(dtoClass: DtoClass): DtoRules {
    let rules = this.rules.get(dtoClass);
    if (!rules) this.rules.set(dtoClass, (rules = { known: propertiesOf(dtoClass), isRight: quickCheckOf(dtoClass) }));
    return rules;
  }
}

/** Looked at here, since class-validator and class-transformer overlook names that every object has, as `__proto__`. */
function propertiesOf(dtoClass: DtoClass): ReadonlySet<string> {
  const rules = validation().getMetadataStorage().getTargetValidationMetadatas(dtoClass, '', false, false);
  return new Set(rules.map(({ propertyName }) => propertyName));
}

/** For `@Body(CHECKED)` and `@Query(CHECKED)`. */
export const CHECKED = new CheckedPipe();

/** For `@Body(CHECKED_IF_GIVEN)`: without a body everything is as if left out. */
export const CHECKED_IF_GIVEN = new CheckedPipe({});

interface Issue {
  path: string;
  message: string;
}

function unknownIn(type: string, key: string, known: ReadonlySet<string>): Issue {
  const path = key.length > MAX_NAME_LENGTH ? `${key.slice(0, MAX_NAME_LENGTH)}…` : key;
  return { path, message: `"${path}" is not known in the ${type}, which has: ${[...known].join(', ')}` };
}

function issuesOf({ property, constraints }: ValidationError): Issue[] {
  return Object.values(constraints ?? {}).map((message) => ({ path: property, message }));
}

function refusal(found: readonly Issue[]): CarrelError {
  const issues = found.slice(0, MAX_ISSUES).map((issue) => ({ ...issue }));
  return new CarrelError('invalid_request', issues.map(({ message }) => message).join('; '), { details: { issues } });
}

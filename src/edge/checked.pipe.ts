import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { CarrelError } from '../shared/errors.js';

type DtoClass = new () => object;

const STRICT = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  stopAtFirstError: true,
} as const;
const MAX_ISSUES = 10;
/** Names of properties come from the client. */
const MAX_TEXT_LENGTH = 200;

/**
 * Checks a body or a query against the class-validator DTO that the parameter is declared as; what it does not declare
 * is refused. A body's values are passed on as they are, unlike with Nest's `ValidationPipe`, which copies them deeply.
 */
class CheckedPipe implements PipeTransform<unknown, object> {
  /** @throws CarrelError `invalid_request` with `issues` that name each property */
  transform(value: unknown, { metatype, type }: ArgumentMetadata): object {
    const dtoClass = metatype as DtoClass;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw refusal([{ path: '', message: `the ${type} must be an object` }]);
    }
    // The values of a query are texts: nothing deep can be in there.
    const dto = type === 'body' ? Object.assign(new dtoClass(), value) : plainToInstance(dtoClass, value);
    const errors = validateSync(dto, STRICT);
    if (errors.length > 0) throw refusal(errors.flatMap(issuesOf));
    return dto;
  }
}

/** For `@Body(CHECKED)` and `@Query(CHECKED)`. */
export const CHECKED = new CheckedPipe();

interface Issue {
  path: string;
  message: string;
}

function issuesOf({ property, constraints }: ValidationError): Issue[] {
  return Object.values(constraints ?? {}).map((message) => ({
    path: property?.slice(0, MAX_TEXT_LENGTH) ?? '',
    message: message.slice(0, MAX_TEXT_LENGTH),
  }));
}

function refusal(found: readonly Issue[]): CarrelError {
  const issues = found.slice(0, MAX_ISSUES).map((issue) => ({ ...issue }));
  return new CarrelError('invalid_request', issues.map(({ message }) => message).join('; '), { details: { issues } });
}

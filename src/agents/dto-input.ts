import type { ValidationError, ValidatorOptions } from 'class-validator';
import { type InputCheck, type InputIssue, type InputReader, pathText } from './input-reader.js';
import { dtoLibraries } from './dto-libraries.js';
import { dtoJsonSchema } from './dto-json-schema.js';

type DtoClass = new () => object;

const STRICT: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
};

/** Reads inputs by a class-validator DTO class; what it does not declare is refused. */
export function dtoInput(dto: DtoClass): InputReader | string {
  if (dtoLibraries().getMetadataStorage().getTargetValidationMetadatas(dto, '', true, false).length === 0) {
    return `is the class ${dto.name || '(without a name)'}, which has no class-validator decorators; for no input at all use z.strictObject({})`;
  }
  return { check: (input) => check(dto, input), jsonSchema: dtoJsonSchema(dto) };
}

async function check(dto: DtoClass, input: unknown): Promise<InputCheck> {
  // a list would become a list of instances
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { issues: [{ path: '', message: 'must be an object' }] };
  }
  const { plainToInstance, validate } = dtoLibraries();
  const value = plainToInstance(dto, input);
  const errors = await validate(value, STRICT);
  return errors.length === 0 ? { value } : { issues: errors.flatMap((error) => issuesOf(error, [])) };
}

function issuesOf(error: ValidationError, parents: readonly PropertyKey[]): InputIssue[] {
  const inList = Array.isArray(error.target);
  const path = [...parents, inList ? Number(error.property) : error.property];
  const own = Object.values(error.constraints ?? {}).map((message) => ({ path: pathText(path), message }));
  return [...own, ...(error.children ?? []).flatMap((child) => issuesOf(child, path))];
}

import type * as Swagger from '@nestjs/swagger';

type Decorating = (...target: never[]) => void;
type Decorators = {
  [
    Name in keyof typeof Swagger as (typeof Swagger)[Name] extends (...args: never[]) => Decorating ? Name : never
  ]: (typeof Swagger)[Name];
};

const noted: ((swagger: typeof Swagger) => void)[] = [];

/**
 * Decorators of `@nestjs/swagger` that are noted, and applied when somebody asks for the document: that package loads
 * 540 modules, and nobody has to wait for them who just starts a server.
 */
export const ApiBearerAuth = noting('ApiBearerAuth');
export const ApiBody = noting('ApiBody');
export const ApiExcludeController = noting('ApiExcludeController');
export const ApiHeader = noting('ApiHeader');
export const ApiOperation = noting('ApiOperation');
export const ApiParam = noting('ApiParam');
export const ApiProperty = noting('ApiProperty');
export const ApiPropertyOptional = noting('ApiPropertyOptional');
export const ApiResponse = noting('ApiResponse');
export const ApiTags = noting('ApiTags');

/** Applies what was noted since the last time. */
export function applyApiDecorators(swagger: typeof Swagger): void {
  for (const apply of noted.splice(0)) apply(swagger);
}

function noting<Name extends keyof Decorators>(name: Name): Decorators[Name] {
  const factory =
    (...args: never[]): Decorating =>
    (...target) => {
      noted.push((swagger) => (swagger[name] as (...given: never[]) => Decorating)(...args)(...target));
    };
  return factory as Decorators[Name];
}

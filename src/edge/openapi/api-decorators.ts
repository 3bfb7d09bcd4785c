import type * as Swagger from '@nestjs/swagger';
import type { ErrorCode } from '../../shared/errors.js';
import type { Documented as DocumentedRoute } from './route-documentation.js';

/** Those of the package, and our own that is made of them. */
type Library = typeof Swagger & { readonly Documented: typeof DocumentedRoute };
type Decorating = (...target: never[]) => void;
type Decorators = {
  [Name in keyof Library as Library[Name] extends (...args: never[]) => Decorating ? Name : never]: Library[Name];
};

const noted: ((library: Library) => void)[] = [];

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

/** Everything that the OpenAPI document says of a route, beside its parameters. */
export const Documented = noting('Documented');

/** What is refused of a body also where nobody asks for one. */
export const UNASKED_BODY: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

/** Applies what was noted since the last time. */
export function applyApiDecorators(library: Library): void {
  for (const apply of noted.splice(0)) apply(library);
}

function noting<Name extends keyof Decorators>(name: Name): Decorators[Name] {
  const factory =
    (...args: never[]): Decorating =>
    (...target) => {
      noted.push((library) => (library[name] as (...given: never[]) => Decorating)(...args)(...target));
    };
  return factory as Decorators[Name];
}

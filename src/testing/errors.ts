import { MillraceError } from '../platform/errors.ts'

/** A test that asks for what cannot be, or an event that the pipeline would refuse: the test fails with the reason. */
export class TestingError extends MillraceError {}

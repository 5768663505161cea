//! The bundled sample service.

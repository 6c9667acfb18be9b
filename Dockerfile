# One image for all our processes; docker-compose.yml says which command each runs.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt .
RUN pip install --require-hashes -r requirements.txt

WORKDIR /app
COPY . .
# Settings want every production variable to be set; these are seen by this step alone.
RUN pybabel compile --directory locale --domain django \
    && SITE_URL=https://example.org SECRET_KEY=build CODE_PEPPER=build SMS_BACKEND=build \
       DATABASE_URL=sqlite://:memory: REDIS_URL=memory \
       VAR_DIR=/app/var python manage.py collectstatic --noinput \
    && python -m compileall -q .

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VAR_DIR=/app/var \
    FILES_DIR=/srv/files
# A fixed number, so that the owner of a mounted folder can be set from outside.
RUN groupadd --gid 10001 app \
    && useradd --uid 10001 --gid app --no-create-home --home-dir /nonexistent app \
    && install --directory --owner app --group app --mode 0700 /srv/files
COPY --from=build /opt/venv /opt/venv
# Owned by root: the processes cannot change their own code.
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "deploy/healthy.py", "http://127.0.0.1:8000/healthz"]
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "esanjeevani.wsgi:application"]

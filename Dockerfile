# The studio in an image, by the make targets that CI runs. CI does not build the image itself.
FROM python:3.13-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /studio
COPY . .
ARG EXTRAS="postgres s3 auth"
RUN make installed EXTRAS="$EXTRAS"

FROM python:3.13-slim-bookworm
# At the same place, because the programs of an environment name it.
WORKDIR /studio
COPY --from=build /studio/build/installed build/installed
RUN useradd --create-home studio && install --directory --owner studio /data
USER studio
ENV PATH=/studio/build/installed/bin:$PATH JOURNEY_DATA_DIR=/data
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/healthz')"]
CMD ["journey", "serve", "--host", "0.0.0.0"]

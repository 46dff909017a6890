# Stands in for eclipse-mosquitto: the same paths and the same user id, from Debian's packages.
ARG BASE
FROM ${BASE}
RUN useradd --system --uid 1883 --user-group --no-create-home --home-dir /nonexistent mosquitto \
 && apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends mosquitto mosquitto-clients \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1883 -g 1883 /mosquitto /mosquitto/config /mosquitto/data /mosquitto/log
CMD ["mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
